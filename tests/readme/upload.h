// Programs of type "upload" (6d1f4e6a-30a5-4a86-9a41-6f1b8bb5c0d1): what they see and
// may call.  Made from the type's contract: do not edit.
#pragma once

#ifndef EBPFD_PROGRAMS
#define EBPFD_PROGRAMS

typedef unsigned char uint8_t;
typedef unsigned short uint16_t;
typedef unsigned int uint32_t;
typedef unsigned long long uint64_t;
typedef signed char int8_t;
typedef short int16_t;
typedef int int32_t;
typedef long long int64_t;

#ifndef NULL
#define NULL ((void *)0)
#endif

// Puts a program or a map where the loader looks for it.
#define SEC(name) __attribute__((section(name), used))

// Fields of a map declaration: the loader reads them from the types (BTF), not from memory.
#define __uint(name, value) int(*name)[value]
#define __type(name, type_) typeof(type_) *name
// Programs of a PROG_ARRAY, or the template of a map of maps: __array(values, int(void *)).
#define __array(name, type_) typeof(type_) *name[]

#define BPF_ANY 0
#define BPF_NOEXIST 1
#define BPF_EXIST 2

// The ring of the processor that runs the program, and how much data shall follow the record.
#define BPF_F_CURRENT_CPU 0xffffffffULL
#define BPF_F_CTXLEN(bytes) ((uint64_t)(bytes) << 32)

#define BPF_MAP_TYPE_HASH 1
#define BPF_MAP_TYPE_ARRAY 2
#define BPF_MAP_TYPE_PROG_ARRAY 3
#define BPF_MAP_TYPE_PERCPU_HASH 4
#define BPF_MAP_TYPE_PERCPU_ARRAY 5
#define BPF_MAP_TYPE_HASH_OF_MAPS 6
#define BPF_MAP_TYPE_ARRAY_OF_MAPS 7
#define BPF_MAP_TYPE_LRU_HASH 8
#define BPF_MAP_TYPE_LPM_TRIE 9
#define BPF_MAP_TYPE_QUEUE 10
#define BPF_MAP_TYPE_LRU_PERCPU_HASH 11
#define BPF_MAP_TYPE_STACK 12
#define BPF_MAP_TYPE_RINGBUF 13
#define BPF_MAP_TYPE_PERF_EVENT_ARRAY 14

// A helper is called through its number.
static void *(*const bpf_map_lookup_elem)(void *map, const void *key) = (void *)0x1;
static int64_t (*const bpf_map_update_elem)(void *map, const void *key, const void *value, uint64_t argument) = (void *)0x2;
static int64_t (*const bpf_map_delete_elem)(void *map, const void *key) = (void *)0x3;
static void *(*const bpf_map_lookup_and_delete_elem)(void *map, const void *key) = (void *)0x4;
static int64_t (*const bpf_tail_call)(void *context, void *map, uint64_t argument) = (void *)0x5;
static int64_t (*const bpf_get_prandom_u32)(void) = (void *)0x6;
static int64_t (*const bpf_ktime_get_boot_ns)(void) = (void *)0x7;
static int64_t (*const bpf_get_smp_processor_id)(void) = (void *)0x8;
static int64_t (*const bpf_ktime_get_ns)(void) = (void *)0x9;
static int64_t (*const bpf_csum_diff)(const void *from_1, uint32_t size_1, const void *from_2, uint32_t size_2, uint64_t argument) = (void *)0xa;
static int64_t (*const bpf_ringbuf_output)(void *map, const void *from, uint32_t size, uint64_t argument) = (void *)0xb;
static int64_t (*const bpf_trace_printk2)(const void *from, uint32_t size) = (void *)0xc;
static int64_t (*const bpf_trace_printk3)(const void *from, uint32_t size, uint64_t argument) = (void *)0xd;
static int64_t (*const bpf_trace_printk4)(const void *from, uint32_t size, uint64_t argument_1, uint64_t argument_2) = (void *)0xe;
static int64_t (*const bpf_trace_printk5)(const void *from, uint32_t size, uint64_t argument_1, uint64_t argument_2, uint64_t argument_3) = (void *)0xf;
static int64_t (*const bpf_map_push_elem)(void *map, const void *value, uint64_t argument) = (void *)0x10;
static int64_t (*const bpf_map_pop_elem)(void *map, const void *value) = (void *)0x11;
static int64_t (*const bpf_map_peek_elem)(void *map, const void *value) = (void *)0x12;
static int64_t (*const bpf_get_current_pid_tgid)(void) = (void *)0x13;
static int64_t (*const bpf_get_current_logon_id)(void *context) = (void *)0x14;
static int64_t (*const bpf_is_current_admin)(void *context) = (void *)0x15;
static int64_t (*const bpf_memcpy)(void *into, uint32_t size_1, const void *from, uint32_t size_2) = (void *)0x16;
static int64_t (*const bpf_memcmp)(const void *from_1, uint32_t size_1, const void *from_2, uint32_t size_2) = (void *)0x17;
static int64_t (*const bpf_memset)(void *into, uint32_t size, uint64_t argument) = (void *)0x18;
static int64_t (*const bpf_memmove)(void *into, uint32_t size_1, const void *from, uint32_t size_2) = (void *)0x19;
static int64_t (*const bpf_strncpy_s)(void *into, uint32_t size_1, const void *from, uint32_t size_2) = (void *)0x1b;
static int64_t (*const bpf_strncat_s)(void *into, uint32_t size_1, const void *from, uint32_t size_2) = (void *)0x1c;
static int64_t (*const bpf_strnlen_s)(const void *from, uint32_t size) = (void *)0x1d;
static int64_t (*const bpf_ktime_get_boot_ms)(void) = (void *)0x1e;
static int64_t (*const bpf_ktime_get_ms)(void) = (void *)0x1f;
static int64_t (*const bpf_perf_event_output)(void *context, void *map, uint64_t argument, const void *from, uint32_t size) = (void *)0x20;
static int64_t (*const bpf_get_current_process_start_key)(void) = (void *)0x21;
static int64_t (*const bpf_get_current_thread_create_time)(void) = (void *)0x22;

#endif

typedef struct __attribute__((preserve_access_index)) _upload_context
{
    void *const name;
    void *const name_end;
    uint64_t size_bytes;
    uint32_t user;
    uint8_t _reserved_28[4];
} upload_context_t;

_Static_assert(sizeof(upload_context_t) == 32, "a context has 32 bytes");
_Static_assert(__builtin_offsetof(upload_context_t, name) == 0, "name lies at 0");
_Static_assert(__builtin_offsetof(upload_context_t, name_end) == 8, "name_end lies at 8");
_Static_assert(__builtin_offsetof(upload_context_t, size_bytes) == 16, "size_bytes lies at 16");
_Static_assert(__builtin_offsetof(upload_context_t, user) == 24, "user lies at 24");

static int64_t (*const quota_bytes)(uint64_t argument) = (void *)0x10000;

// Where programs of this type go: SEC(...).
#define SECTION_UPLOAD "upload"
