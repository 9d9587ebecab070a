/* A layout that says two things of one field. */
#include "../sample.h"

struct sample_context {
    u32 number;
};
struct sample_context___other {
    u32 before;
    u32 number;
};

struct sample_context context;
struct sample_context___other other;
