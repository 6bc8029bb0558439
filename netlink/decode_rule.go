package netlink

// A rule is only told from others, so its message's octets are enough: the
// kernel writes them alike in events and lists, but for flags that tell whether
// the interfaces it names exist.

const ruleHeaderLen = 12

// decodeRule appends what identifies a rule to key.
func decodeRule(key, b []byte) ([]byte, bool) {
	if len(b) < ruleHeaderLen || b[0] != afINET && b[0] != afINET6 {
		return nil, false
	}
	for a := b[ruleHeaderLen:]; len(a) > 0; {
		_, _, rest, ok := cutAttribute(a)
		if !ok {
			return nil, false
		}
		a = rest
	}
	key = append(key, b...)
	host.PutUint32(key[len(key)-len(b)+8:], host.Uint32(b[8:])&ruleInvert)
	return key, true
}
