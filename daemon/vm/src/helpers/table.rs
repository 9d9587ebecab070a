//! Prototypes of the general helpers, as eBPF for Windows numbers them.

use super::{General, Native, checksum, map, memory, origin, printk, strings, system};
use crate::contract::{
    RETURN_INTEGER as INTEGER, RETURN_MAP_VALUE_OR_NULL as VALUE_OR_NULL,
    RETURN_NOTHING_IF_SUCCEED as NOTHING_IF_SUCCEED,
};

const ANY: u32 = 1;
const SIZE: u32 = 2;
const SIZE_0: u32 = 3;
const CTX: u32 = 4;
const MAP: u32 = 5;
const PROGRAMS: u32 = 6;
const KEY: u32 = 7;
const VALUE: u32 = 8;
const READ: u32 = 9;
const READ_0: u32 = 10;
const WRITE: u32 = 11;

const fn helper(
    id: u32,
    name: &'static str,
    return_type: u32,
    arguments: &'static [u32],
    native: Option<Native>,
) -> General {
    General {
        id,
        name,
        return_type,
        arguments,
        native,
    }
}

#[rustfmt::skip]
pub static GENERAL: [General; 35] = [
    helper(1, "bpf_map_lookup_elem", VALUE_OR_NULL, &[MAP, KEY], Some(map::lookup)),
    helper(2, "bpf_map_update_elem", INTEGER, &[MAP, KEY, VALUE, ANY], Some(map::update)),
    helper(3, "bpf_map_delete_elem", INTEGER, &[MAP, KEY], Some(map::delete)),
    helper(4, "bpf_map_lookup_and_delete_elem", VALUE_OR_NULL, &[MAP, KEY], Some(map::lookup_and_delete)),
    helper(5, "bpf_tail_call", NOTHING_IF_SUCCEED, &[CTX, PROGRAMS, ANY], Some(map::tail_call)),
    helper(6, "bpf_get_prandom_u32", INTEGER, &[], Some(system::prandom)),
    helper(7, "bpf_ktime_get_boot_ns", INTEGER, &[], Some(system::boot_ns)),
    helper(8, "bpf_get_smp_processor_id", INTEGER, &[], Some(system::processor)),
    helper(9, "bpf_ktime_get_ns", INTEGER, &[], Some(system::time_ns)),
    helper(10, "bpf_csum_diff", INTEGER, &[READ_0, SIZE_0, READ_0, SIZE_0, ANY], Some(checksum::difference)),
    helper(11, "bpf_ringbuf_output", INTEGER, &[MAP, READ, SIZE, ANY], Some(map::ring_output)),
    helper(12, "bpf_trace_printk2", INTEGER, &[READ, SIZE], Some(printk::with_0)),
    helper(13, "bpf_trace_printk3", INTEGER, &[READ, SIZE, ANY], Some(printk::with_1)),
    helper(14, "bpf_trace_printk4", INTEGER, &[READ, SIZE, ANY, ANY], Some(printk::with_2)),
    helper(15, "bpf_trace_printk5", INTEGER, &[READ, SIZE, ANY, ANY, ANY], Some(printk::with_3)),
    helper(16, "bpf_map_push_elem", INTEGER, &[MAP, VALUE, ANY], Some(map::push)),
    helper(17, "bpf_map_pop_elem", INTEGER, &[MAP, VALUE], Some(map::pop)),
    helper(18, "bpf_map_peek_elem", INTEGER, &[MAP, VALUE], Some(map::peek)),
    helper(19, "bpf_get_current_pid_tgid", INTEGER, &[], Some(origin::pid_tgid)),
    helper(20, "bpf_get_current_logon_id", INTEGER, &[CTX], Some(origin::logon_id)),
    helper(21, "bpf_is_current_admin", INTEGER, &[CTX], Some(origin::is_admin)),
    helper(22, "bpf_memcpy", INTEGER, &[WRITE, SIZE_0, READ, SIZE_0], Some(memory::copy)),
    helper(23, "bpf_memcmp", INTEGER, &[READ, SIZE_0, READ, SIZE_0], Some(memory::compare)),
    helper(24, "bpf_memset", INTEGER, &[WRITE, SIZE_0, ANY], Some(memory::set)),
    helper(25, "bpf_memmove", INTEGER, &[WRITE, SIZE_0, READ, SIZE_0], Some(memory::copy)),
    helper(26, "bpf_get_socket_cookie", INTEGER, &[CTX], None),
    helper(27, "bpf_strncpy_s", INTEGER, &[WRITE, SIZE_0, READ, SIZE_0], Some(strings::copy)),
    helper(28, "bpf_strncat_s", INTEGER, &[WRITE, SIZE_0, READ, SIZE_0], Some(strings::append)),
    helper(29, "bpf_strnlen_s", INTEGER, &[READ, SIZE_0], Some(strings::length)),
    helper(30, "bpf_ktime_get_boot_ms", INTEGER, &[], Some(system::boot_ms)),
    helper(31, "bpf_ktime_get_ms", INTEGER, &[], Some(system::time_ms)),
    helper(32, "bpf_perf_event_output", INTEGER, &[CTX, MAP, ANY, READ, SIZE], Some(map::perf_output)),
    helper(33, "bpf_get_current_process_start_key", INTEGER, &[], Some(origin::start_key)),
    helper(34, "bpf_get_current_thread_create_time", INTEGER, &[], Some(origin::create_time)),
    helper(35, "bpf_redirect_map", INTEGER, &[MAP, ANY, ANY], None),
];
