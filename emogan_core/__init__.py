"""Change the expression of a real face in a photo and keep the person."""
