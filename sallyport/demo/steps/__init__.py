"""The steps of the story. Each returns what it has proven, or raises StepFailed with what it saw instead."""
