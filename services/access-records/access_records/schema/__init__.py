"""The history's tables and views, one reviewed SQL file each, applied in order by the history writer."""
