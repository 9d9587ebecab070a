int lone(void *ctx) { return 7; }
