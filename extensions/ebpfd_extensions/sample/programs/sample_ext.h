// What a program of type "sample" sees and may call.
#pragma once

#include "ebpf_helpers.h"

typedef struct _sample_program_context
{
    uint8_t *data_start;
    uint8_t *data_end;
    uint32_t uint32_data;
    uint16_t uint16_data;
    uint32_t helper_data_1;
    uint32_t helper_data_2;
} sample_program_context_t;

static int64_t (*const sample_ebpf_extension_helper_function1)(sample_program_context_t *context) = (void *)0x10000;
static int64_t (*const sample_ebpf_extension_find)(
    const void *buffer, uint32_t size, const void *find, uint32_t find_size) = (void *)0x10001;
static int64_t (*const sample_ebpf_extension_replace)(
    void *buffer, uint32_t size, int64_t position, const void *replace, uint32_t replace_size) = (void *)0x10002;
static int64_t (*const sample_ebpf_extension_helper_implicit_1)(void) = (void *)0x10003;
static int64_t (*const sample_ebpf_extension_helper_implicit_2)(uint32_t arg) = (void *)0x10004;
