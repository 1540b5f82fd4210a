"""What comes in beside the links and the web: directory files, and the commands through the control socket."""
