"""What the toy lab can show beyond its first panels, switched on one by one, and the probe with its ledger."""
