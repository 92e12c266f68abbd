"""Chain access: the only package that imports web3."""
