/* SPDX-License-Identifier: MIT */
/*
 * The arguments of the command. They are read first, and what they say stands; the configuration and the
 * environment are asked afterwards for what they left open.
 */
#include "cli/options.h"

#include "base/buffer.h"
#include "base/problem.h"
#include "cli/value.h"
#include <stdlib.h>
#include <string.h>

ga__option_place ga__options_given(const ga__options *options, const char *name)
{
    const ga__option *option = ga__option_named(ga__slice_of(name));
    bool on = true;

    if (!option)
        return GA__PLACE_NONE;
    if (option->kind == GA__OPTION_FLAG)
        memcpy(&on, (const char *)options + option->place, sizeof on);
    if (option->kind == GA__OPTION_SET) {
        int set;

        memcpy(&set, (const char *)options + option->place, sizeof set);
        on = set != 0;
    }
    return on ? (ga__option_place)options->given[option - ga__option_table] : GA__PLACE_NONE;
}

/* --- the arguments -------------------------------------------------------------------------------- */

typedef struct arguments {
    char **next; /* ends with NULL */
    ga__options *options;
    bool only_inputs; /* "--" was there */
    bool done;        /* what comes behind does not matter */
    char **problem;
} arguments;

/* The option behind two dashes, and in *on whether it is meant or its opposite. */
static const ga__option *find_long(ga__slice name, bool *on)
{
    char opposite[40] = "no-";
    const ga__option *option = ga__option_named(name);

    *on = true;
    if (option && name.size > 0)
        return option;
    *on = false;
    if (name.size > 3 && memcmp(name.data, "no-", 3) == 0)
        option = ga__option_named((ga__slice){name.data + 3, name.size - 3});
    else if (name.size > 0 && name.size < sizeof opposite - 3)
        option = ga__option_named(
            (ga__slice){opposite, 3 + (memcpy(opposite + 3, name.data, name.size), name.size)});
    return option && (option->kind == GA__OPTION_FLAG || option->kind == GA__OPTION_OFF ||
                      option->kind == GA__OPTION_SET)
               ? option
               : NULL;
}

static bool unknown_long(arguments *from, ga__slice name)
{
    const ga__option *nearest = ga__option_nearest(name);

    if (nearest)
        return ga__say(false, from->problem, "there is no option --%.*s; is --%s meant?", (int)name.size,
                       name.data, nearest->name);
    return ga__say(false, from->problem,
                   "there is no option --%.*s; `gather --help all` tells those that there are",
                   (int)name.size, name.data);
}

static bool take_help_topic(arguments *from)
{
    const char *topic = *from->next;
    bool on;

    from->options->command = GA__COMMAND_HELP;
    from->done = true;
    if (topic && topic[strspn(topic, "-")]) {
        ga__slice name = ga__slice_of(topic + strspn(topic, "-"));
        const ga__option *option = name.size == 1 ? ga__option_lettered(*name.data) : find_long(name, &on);

        if (!option && strcmp(name.data, "all") != 0)
            return unknown_long(from, name);
        from->options->topic = option ? option->name : "all";
    }
    return true;
}

static bool act(arguments *from, const ga__option *option, const char *value)
{
    if (strcmp(option->name, "help") == 0)
        return take_help_topic(from);
    from->done = true;
    if (!value) { /* --version */
        from->options->command = GA__COMMAND_VERSION;
        return true;
    }
    from->options->command = GA__COMMAND_COMPLETION;
    from->options->shell = ga__value_choice(ga__slice_of(value), option->choices);
    return from->options->shell >= 0 ||
           ga__say(false, from->problem, "--completion: bash, zsh or fish is expected, not \"%s\"", value);
}

/* `as`: how it was written, for problems. `value`: what stood in the same argument, or NULL. */
static bool take_option(arguments *from, const ga__option *option, ga__slice as, bool on, char *value)
{
    char *problem = NULL;

    if (ga__option_is_switch(option)) {
        if (value)
            return ga__say(false, from->problem, "%.*s is a switch, and takes no value", (int)as.size,
                           as.data);
    } else if (!value && !(value = *from->next)) {
        return ga__say(false, from->problem, "%.*s: a value is expected, such as %s", (int)as.size, as.data,
                       option->example);
    } else if (value == *from->next) {
        from->next++;
    }
    if (option->kind == GA__OPTION_ACTION)
        return act(from, option, value);
    if (ga__options_set(from->options, option, GA__PLACE_ARGUMENTS, on, value, &problem))
        return true;
    *from->problem = problem ? ga_format("%.*s: %s", (int)as.size, as.data, problem) : NULL;
    free(problem);
    return false;
}

static bool take_long(arguments *from, char *argument)
{
    ga__slice name = {argument + 2, strcspn(argument + 2, "=")};
    char *value = name.data[name.size] == '=' ? argument + 2 + name.size + 1 : NULL;
    bool on;
    const ga__option *option = find_long(name, &on);

    if (!option)
        return unknown_long(from, name);
    return take_option(from, option, (ga__slice){argument, name.size + 2}, on, value);
}

/* "-Lkc40": switches, and at the end an option with its value. */
static bool take_letters(arguments *from, char *argument)
{
    for (char *letter = argument + 1; *letter; letter++) {
        const ga__option *option = ga__option_lettered(*letter);
        char as[3] = {'-', *letter};

        if (!option)
            return ga__say(false, from->problem,
                           "there is no option -%c; `gather --help` tells those that there are", *letter);
        bool is_switch = ga__option_is_switch(option);

        if (!take_option(from, option, (ga__slice){as, 2}, true, is_switch || !letter[1] ? NULL : letter + 1))
            return false;
        if (!is_switch)
            return true;
    }
    return true;
}

/* --- inputs and commands -------------------------------------------------------------------------- */

static bool take_input(arguments *from, const char *name)
{
    ga__options *options = from->options;
    const char **inputs;

    memcpy(&inputs, &options->job.inputs, sizeof inputs);
    inputs = reallocarray(inputs, options->input_count + 2, sizeof *inputs);
    if (!inputs)
        return *from->problem = NULL, false;
    inputs[options->input_count++] = name;
    inputs[options->input_count] = NULL;
    options->job.inputs = inputs;
    if (strcmp(name, "-") != 0)
        return true;
    if (options->input_user)
        return ga__say(false, from->problem, "standard input (-) can be read but once, and %s reads it, too",
                       options->input_user);
    options->input_user = "an input";
    return true;
}

/* The first word may be a command; a file of that name is ./report. */
static bool take_word(arguments *from, const char *word)
{
    ga__options *options = from->options;

    if (options->command == GA__COMMAND_RUN && options->input_count == 0 && !from->only_inputs) {
        if (strcmp(word, "report") == 0)
            return options->command = GA__COMMAND_REPORT, true;
        if (strcmp(word, "failed") == 0)
            return options->command = GA__COMMAND_FAILED, true;
    }
    if (options->command == GA__COMMAND_RUN)
        return take_input(from, word);
    if (options->out)
        return ga__say(false, from->problem, "`gather %s` takes one output of a job; there is %s, and %s",
                       options->command == GA__COMMAND_REPORT ? "report" : "failed", options->out, word);
    options->out = word;
    return true;
}

static bool take_argument(arguments *from, char *argument)
{
    if (from->only_inputs || argument[0] != '-' || !argument[1])
        return take_word(from, argument);
    if (strcmp(argument, "--") == 0)
        return from->only_inputs = true;
    return argument[1] == '-' ? take_long(from, argument) : take_letters(from, argument);
}

/* --- all of it ------------------------------------------------------------------------------------ */

/* A job has its options from everywhere, the other commands those that are theirs. */
static bool check_command(const ga__options *options, char **problem)
{
    const char *name = options->command == GA__COMMAND_REPORT ? "report" : "failed";

    for (size_t i = 0; i < ga__option_count; i++)
        if (options->given[i] &&
            !(options->command == GA__COMMAND_REPORT && strcmp(ga__option_table[i].name, "html") == 0))
            return ga__say(false, problem, "--%s is no option of `gather %s`", ga__option_table[i].name,
                           name);
    if (!options->out)
        return ga__say(false, problem, "`gather %s` needs the output of a job: gather %s out.jsonl", name,
                       name);
    return true;
}

bool ga__options_read(ga__options *options, int argc, char **argv, char **problem)
{
    arguments from = {argv + (argc > 0), options, .problem = problem};

    *options = (ga__options){.job = ga__job_defaults};
    *problem = NULL;
    if (argc <= 1) {
        options->command = GA__COMMAND_USAGE;
        return true;
    }
    while (*from.next && !from.done)
        if (!take_argument(&from, *from.next++))
            return false;
    if (from.done)
        return true;
    if (options->command != GA__COMMAND_RUN)
        return check_command(options, problem);
    return ga__options_read_config(options, problem) && ga__options_read_environment(options, problem) &&
           ga__options_agree(options, problem);
}

void ga__options_free(ga__options *options)
{
    void *list;

    for (size_t i = 0; i < ga__option_count; i++) {
        if (!ga__option_is_list(&ga__option_table[i]))
            continue;
        memcpy(&list, (char *)options + ga__option_table[i].place, sizeof list);
        free(list);
    }
    memcpy(&list, &options->job.inputs, sizeof list);
    free(list);
    for (size_t i = 0; i < options->owned_count; i++) {
        explicit_bzero(options->owned[i], strlen(options->owned[i]));
        free(options->owned[i]);
    }
    free(options->owned);
    free(options->header_places);
    *options = (ga__options){0};
}
