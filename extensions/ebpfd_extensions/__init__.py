"""Extensions shipped with ebpfd; each folder is one, and a template for yours."""
