"""What we talk about: positions, legs, health, prices and where they were read. Standard library only."""
