"""What a program needs around its mathematics: flags, `app.run`, logging, files, devices, versions."""
