"""Training: real windows with their targets, the objective, the loop, and the recipe of mini."""
