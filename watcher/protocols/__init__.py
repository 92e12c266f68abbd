"""Protocol plugins: pure, one file each. `registry` names them."""
