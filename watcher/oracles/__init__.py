"""From the price that a protocol uses to the feeds underneath it, as pure sub-plans."""
