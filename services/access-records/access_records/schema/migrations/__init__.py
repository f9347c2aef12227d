"""The steps that make the history's tables, one reviewed SQL file each, applied in order by the history writer."""
