/* Today's context: a field was added in the middle, groups were rearranged, one field is gone. */
#include "../sample.h"

struct flow {
    u8 protocol;
    u32 label;
    u16 ports[4];
};

struct sample_context {
    u8 *data;
    u8 *data_end;
    u64 inserted;
    const u32 number;
    u32 half;
    struct {
        u16 low;
        union {
            u16 high;
        };
    } const volatile;
    u32 mark;
    struct flow flow;
    u32 wide : 9;
    u32 narrow : 3;
    u8 kept : 5;
    u8 : 1;
    u8 shifted : 3;
    u8 squeezed : 4;
};

enum mode { QUIET = 1, LOUD = 5, SHOUTING = 9 };

struct sample_context context;
enum mode mode;
