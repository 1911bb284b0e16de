"""What each process of the project needs: its flags and its log."""
