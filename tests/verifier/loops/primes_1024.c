// Counts primes by trial division: the inner loop ends where q * q exceeds the number.
#include "../corpus.h"

PROGRAM(primes_1024)
{
    u32 primes = 0;
    KEPT for (u32 n = 2; n < 1024; n++) {
        u32 q = 2;
        KEPT for (; q * q <= n; q++)
            if (n % q == 0)
                break;
        primes += q * q > n;
    }
    return primes;
}
