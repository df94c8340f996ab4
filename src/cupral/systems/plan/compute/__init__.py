"""Pure functions of the plan: reading, judging, gathering, explaining, printing."""
