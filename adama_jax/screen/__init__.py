"""What people read while the program works. Whatever happens to it, the work goes on."""
