/* SPDX-License-Identifier: MIT */
/*
 * The labels of encodings: WHATWG Encoding, 4.2, with the name that iconv has for the superset which browsers
 * decode them as. Encodings outside the list are no text of today, and some (UTF-7, ISO-2022-CN) have hidden
 * markup from filters or broken converters. Called by charset.c.
 */
#include "base/ascii.h"
#include "protocol/charset.h"
#include "protocol/token.h"

struct encoding {
    const char *name;   /* iconv's */
    const char *labels; /* with blanks between them */
};

static const struct encoding encodings[] = {
    {"UTF-8", "utf-8 utf8 unicode-1-1-utf-8 unicode11utf8 unicode20utf8 x-unicode20utf8"},
    {"windows-1252",
     "iso-8859-1 latin1 us-ascii ascii windows-1252 cp1252 x-cp1252 iso8859-1 iso88591 iso_8859-1 "
     "iso_8859-1:1987 iso-ir-100 csisolatin1 l1 cp819 ibm819 ansi_x3.4-1968"},
    {"IBM866", "866 cp866 csibm866 ibm866"},
    {"ISO-8859-2",
     "iso-8859-2 iso8859-2 iso88592 iso_8859-2 iso_8859-2:1987 iso-ir-101 csisolatin2 l2 latin2"},
    {"ISO-8859-3",
     "iso-8859-3 iso8859-3 iso88593 iso_8859-3 iso_8859-3:1988 iso-ir-109 csisolatin3 l3 latin3"},
    {"ISO-8859-4",
     "iso-8859-4 iso8859-4 iso88594 iso_8859-4 iso_8859-4:1988 iso-ir-110 csisolatin4 l4 latin4"},
    {"ISO-8859-5",
     "iso-8859-5 iso8859-5 iso88595 iso_8859-5 iso_8859-5:1988 iso-ir-144 csisolatincyrillic cyrillic"},
    {"ISO-8859-6",
     "iso-8859-6 iso-8859-6-e iso-8859-6-i iso8859-6 iso88596 iso_8859-6 iso_8859-6:1987 iso-ir-127 arabic "
     "asmo-708 csiso88596e csiso88596i csisolatinarabic ecma-114"},
    {"ISO-8859-7",
     "iso-8859-7 iso8859-7 iso88597 iso_8859-7 iso_8859-7:1987 iso-ir-126 csisolatingreek ecma-118 elot_928 "
     "greek greek8 sun_eu_greek"},
    {"ISO-8859-8",
     "iso-8859-8 iso-8859-8-e iso-8859-8-i iso8859-8 iso88598 iso_8859-8 iso_8859-8:1988 iso-ir-138 "
     "csiso88598e csiso88598i csisolatinhebrew hebrew visual logical"},
    {"ISO-8859-10", "iso-8859-10 iso8859-10 iso885910 iso-ir-157 csisolatin6 l6 latin6"},
    {"ISO-8859-13", "iso-8859-13 iso8859-13 iso885913"},
    {"ISO-8859-14", "iso-8859-14 iso8859-14 iso885914"},
    {"ISO-8859-15", "iso-8859-15 iso8859-15 iso885915 iso_8859-15 csisolatin9 l9"},
    {"ISO-8859-16", "iso-8859-16"},
    {"KOI8-R", "koi8-r koi8_r koi8 koi cskoi8r"},
    {"KOI8-U", "koi8-u koi8-ru"},
    {"MACINTOSH", "macintosh mac csmacintosh x-mac-roman"},
    {"CP874", "windows-874 iso-8859-11 iso8859-11 iso885911 tis-620 dos-874"},
    {"CP1250", "windows-1250 cp1250 x-cp1250"},
    {"CP1251", "windows-1251 cp1251 x-cp1251"},
    {"CP1253", "windows-1253 cp1253 x-cp1253"},
    {"CP1254",
     "windows-1254 cp1254 x-cp1254 iso-8859-9 iso8859-9 iso88599 iso_8859-9 iso_8859-9:1989 iso-ir-148 "
     "csisolatin5 l5 latin5"},
    {"CP1255", "windows-1255 cp1255 x-cp1255"},
    {"CP1256", "windows-1256 cp1256 x-cp1256"},
    {"CP1257", "windows-1257 cp1257 x-cp1257"},
    {"CP1258", "windows-1258 cp1258 x-cp1258"},
    {"MAC-UK", "x-mac-cyrillic x-mac-ukrainian"},
    {"GB18030", "gb18030 gbk gb2312 gb_2312 gb_2312-80 x-gbk chinese csgb2312 csiso58gb231280 iso-ir-58"},
    {"BIG5-HKSCS", "big5 big5-hkscs cn-big5 csbig5 x-x-big5"},
    {"EUC-JP-MS", "euc-jp x-euc-jp cseucpkdfmtjapanese"},
    {"ISO-2022-JP", "iso-2022-jp csiso2022jp"},
    {"CP932", "shift_jis shift-jis sjis x-sjis windows-31j ms932 ms_kanji csshiftjis"},
    {"CP949", "euc-kr windows-949 ks_c_5601-1987 ks_c_5601-1989 ksc5601 ksc_5601 korean cseuckr "
              "csksc56011987 iso-ir-149"},
    {"UTF-16LE", "utf-16le utf-16 unicode unicodefeff ucs-2 csunicode iso-10646-ucs-2"},
    {"UTF-16BE", "utf-16be unicodefffe"},
};

static bool has_label(const char *labels, ga__slice wanted)
{
    while (*labels) {
        size_t size = strcspn(labels, " ");

        if (ga__ascii_equal((ga__slice){labels, size}, wanted))
            return true;
        labels += size;
        labels += strspn(labels, " ");
    }
    return false;
}

const char *ga__charset_find(ga__slice label)
{
    label = ga__trim_blanks(label);
    for (size_t i = 0; i < sizeof encodings / sizeof *encodings; i++)
        if (has_label(encodings[i].labels, label))
            return encodings[i].name;
    return NULL;
}
