"""Pictures of every page and state, which are also checked: blank, too wide, script errors, accessibility."""
