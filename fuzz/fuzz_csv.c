/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as CSV or TSV, the first byte says which and in what pieces they come: the records are the same
 * however they are cut, and a record that is written is read as itself.
 */
#include "bulk/csv.h"
#include "fuzz.h"
#include <string.h>

/* Writes the record, and reads it again. */
static void check_record(const ga__csv *csv)
{
    ga__buffer line = GA__BUFFER_INIT;
    size_t consumed;
    ga__csv again;

    for (size_t i = 0; i < csv->count; i++) {
        if (i > 0)
            ga__buffer_add_char(&line, csv->separator);
        ga__csv_append(&line, csv->fields[i], csv->separator);
    }
    ga__buffer_add_char(&line, '\n');
    ga__csv_init(&again, csv->separator);
    again.begun = true; /* what looks like a byte order mark is none here */
    REQUIRE(!line.failed);
    REQUIRE(ga__csv_read(&again, line.data, line.size, true, &consumed) == GA__CSV_RECORD);
    REQUIRE(consumed == line.size && again.count == csv->count);
    for (size_t i = 0; i < csv->count; i++)
        REQUIRE(ga__slice_equal(again.fields[i], csv->fields[i]));
    ga__csv_free(&again);
    ga__buffer_free(&line);
}

/* A digest of all records up to the end or to what is broken. */
static uint64_t read_all(const char *bytes, size_t size, char separator, size_t piece)
{
    size_t at = 0, there = piece < size ? piece : size;
    uint64_t sum = 0;
    ga__csv csv;

    ga__csv_init(&csv, separator);
    while (at < size) {
        size_t consumed = 0;
        ga__csv_result result = ga__csv_read(&csv, bytes + at, there - at, there == size, &consumed);

        REQUIRE(result != GA__CSV_NOMEM && consumed <= there - at);
        REQUIRE(result != GA__CSV_MORE || there < size);
        if (result == GA__CSV_MORE) {
            there += piece < size - there ? piece : size - there;
            continue;
        }
        REQUIRE(consumed > 0);
        at += consumed;
        sum = sum * 31 + (result == GA__CSV_RECORD) + csv.lines;
        for (size_t i = 0; result == GA__CSV_RECORD && i < csv.count; i++)
            for (size_t k = 0; k <= csv.fields[i].size; k++)
                sum = sum * 37 + (k < csv.fields[i].size ? (unsigned char)csv.fields[i].data[k] : 256U);
        if (result == GA__CSV_RECORD)
            check_record(&csv);
    }
    ga__csv_free(&csv);
    return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *bytes = (const char *)data + 1;

    if (size < 2)
        return 0;
    char separator = data[0] & 1 ? '\t' : ',';

    REQUIRE(read_all(bytes, size - 1, separator, size) ==
            read_all(bytes, size - 1, separator, 1 + data[0] / 8));
    return 0;
}
