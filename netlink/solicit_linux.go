package netlink

import "time"

// solicit asks the routers of those links that are to be asked now.
func (w *Watcher) solicit(c *Changes) {
	if w.asking == nil {
		return
	}
	now := time.Now()
	w.asking.see(c, now)
	w.asking.ask(now, func(index int32) error {
		err := w.ears.solicit(index)
		if err != nil {
			w.config.Log.Debug("router solicitation", "interface", index, "err", err)
		}
		return err
	})
}
