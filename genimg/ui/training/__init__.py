"""The Training tab: the form that starts a run, and the page of the runs."""
