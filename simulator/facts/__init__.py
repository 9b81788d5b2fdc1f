"""What the simulator knows of Amazon's 370 operations: facts about them, made from the models by `build`."""
