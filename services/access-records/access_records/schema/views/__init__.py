"""The history's views as they are now, one reviewed SQL file each, made anew by the history writer when it starts."""
