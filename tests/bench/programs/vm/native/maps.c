/* The maps of native programs, and of engines that bring none: a deliberately small array and hash
 * map, so that they price the path to a map and not the map. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))
#define ARRAY 2
#define ARRAY_ENTRIES 64
#define HASH_ENTRIES 2048

struct native_map {
    uint32_t type, key, value, max;
    uint8_t *values, *keys;
    uint32_t *head, *next;
    uint32_t used, mask;
};
EXPORT struct native_map map0_array, map1_hash;

static uint32_t hash_of(const uint8_t *key, uint32_t size)
{
    uint32_t hash = 0x9747b28cu;
    for (uint32_t i = 0; i + 4 <= size; i += 4) {
        uint32_t word;
        memcpy(&word, key + i, 4);
        hash = (hash ^ word) * 0x85ebca6bu;
        hash ^= hash >> 13;
    }
    return hash;
}

EXPORT void *map_lookup(void *of, const void *key)
{
    struct native_map *map = of;
    uint32_t wanted;
    memcpy(&wanted, key, 4);
    if (map->type == ARRAY)
        return wanted < map->max ? map->values + (size_t)wanted * map->value : NULL;
    /* Keys are compared as numbers: memcmp's wide load of a key that was just stored in halves
     * would stall, and swamp the price of the call. */
    const uint32_t *keys = (const uint32_t *)map->keys;
    for (uint32_t at = map->head[hash_of(key, 4) & map->mask]; at; at = map->next[at])
        if (keys[at] == wanted)
            return map->values + (size_t)at * map->value;
    return NULL;
}

EXPORT long map_update(void *of, const void *key, const void *value, uint64_t flags)
{
    struct native_map *map = of;
    (void)flags;
    void *found = map_lookup(map, key);
    if (found) {
        memcpy(found, value, 8);
        return 0;
    }
    if (map->type == ARRAY || map->used + 1 > map->max)
        return -7;
    uint32_t at = ++map->used, bucket = hash_of(key, 4) & map->mask;
    memcpy(map->keys + (size_t)at * 4, key, 4);
    memcpy(map->values + (size_t)at * 8, value, 8);
    map->next[at] = map->head[bucket];
    map->head[bucket] = at;
    return 0;
}

__attribute__((constructor)) static void fill(void)
{
    map0_array = (struct native_map){.type = ARRAY, .key = 4, .value = 8, .max = ARRAY_ENTRIES};
    map0_array.values = calloc(ARRAY_ENTRIES, 8);
    for (uint64_t i = 0; i < ARRAY_ENTRIES; i++)
        memcpy(map0_array.values + i * 8, &i, 8);
    map1_hash = (struct native_map){.type = 1, .key = 4, .value = 8, .max = HASH_ENTRIES, .mask = 4095};
    map1_hash.values = calloc(HASH_ENTRIES + 2, 8);
    map1_hash.keys = calloc(HASH_ENTRIES + 2, 4);
    map1_hash.head = calloc(4096, 4);
    map1_hash.next = calloc(HASH_ENTRIES + 2, 4);
    for (uint32_t key = 0; key < 1024; key++) {
        uint64_t value = 3ull * key;
        map_update(&map1_hash, &key, &value, 0);
    }
}
