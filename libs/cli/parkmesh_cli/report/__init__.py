"""The daily report: gathered from the platform, told as one page and one workbook."""
