"""Who may come in: vendors, their credentials and grants; people, their accounts and sessions; tokens for both."""
