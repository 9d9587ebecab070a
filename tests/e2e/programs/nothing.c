// The smallest program: for hooks whose verdict does not matter.
__attribute__((section("picky"), used)) int nothing(void *ctx)
{
    (void)ctx;
    return 0;
}
