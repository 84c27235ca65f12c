/* profile_table.c: a profile as a table. A layer's speed is that of the direct sums: two operations
 * for each multiply-add of summary.c's column, as often as the direction needs them; backward that
 * is once for the gradient by the weights and once for that by the input. */
#include "train/profile.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { LEAST_NAME = 20, MOST_NAME = 40, TYPE = 18, WORK = 28, TIME = 18 };

/* A cell of time and speed. */
struct work {
    double seconds, adds; /* adds: multiply-adds, 0: no such work */
    int shortcut;
};

struct table {
    const struct profile *profile;
    const struct graph *graph;
    const struct plan *plan;
    int name_width, width;
    double seconds; /* all of them */
    struct text *out;
};

static int indent_of(const struct node *node) { return 2 * (node->depth + node->attached); }

static int name_width(const struct graph *graph)
{
    int width = LEAST_NAME;
    for (int i = 0; i < graph->count; i++) {
        const int length = indent_of(&graph->nodes[i]) + (int)strlen(graph->nodes[i].name);
        width = width < length ? length : width;
    }
    return width < MOST_NAME ? width : MOST_NAME;
}

static struct work forward_of(const struct table *t, const struct node *node)
{
    return (struct work){
        .seconds = profile_row(t->profile, net_row(node->index, NET_FORWARD)),
        .adds = node->needs.multiply_adds * (double)t->profile->images,
        .shortcut = node->needs.shortcuts & SHORTCUT_FORWARD,
    };
}

static struct work backward_of(const struct table *t, const struct node *node)
{
    const struct place *place = &t->plan->places[node->index];
    const int weights = place->learns && node->trained,
              input = place->learns && place->inputs[0].gradient != GRADIENT_SKIP;
    return (struct work){
        .seconds = profile_row(t->profile, net_row(node->index, NET_BACKWARD)),
        .adds = (weights + input) * node->needs.multiply_adds * (double)t->profile->images,
        .shortcut = (weights ? node->needs.shortcuts & SHORTCUT_WEIGHT : 0) |
                    (input ? node->needs.shortcuts & SHORTCUT_INPUT : 0),
    };
}

static void append_rule(const struct table *t)
{
    for (int i = 0; i < t->width; i++) {
        text_append(t->out, "-");
    }
    text_append(t->out, "\n");
}

/* Time, GFLOP/s and share of the peak; blanks for what there is none of. WORK columns. */
static void append_work(const struct table *t, const struct work *work)
{
    if (work->seconds == 0) {
        text_append(t->out, "%*s", WORK, "");
        return;
    }
    text_append(t->out, " %9.1f", 1e3 * work->seconds);
    if (work->adds > 0) {
        const double speed = work->adds / work->seconds;
        text_append(t->out, " %8.1f%s %6.1f%%", 2e-9 * speed, work->shortcut ? "*" : " ",
                    100 * speed / t->profile->peak_all);
    } else {
        text_append(t->out, "%18s", "");
    }
}

static void append_works(const struct table *t, const struct work *forward,
                         const struct work *backward)
{
    append_work(t, forward);
    if (t->plan->training) {
        append_work(t, backward);
    }
    const double seconds = forward->seconds + backward->seconds;
    text_append(t->out, " %9.1f %6.2f%%\n", 1e3 * seconds, 100 * seconds / t->seconds);
}

/* Of what is not a layer's. */
static void append_phase(const struct table *t, const char *name, double seconds)
{
    text_append(t->out, "%-*s %9.1f %6.2f%%\n", t->width - TIME, name, 1e3 * seconds,
                100 * seconds / t->seconds);
}

/* Of what was measured, and what the columns say. */
static void append_head(const struct table *t)
{
    const struct profile *p = t->profile;
    char count[32], rate[32], steps[64] = "";
    if (t->plan->training) {
        snprintf(steps, sizeof steps, "%s steps, ", text_from_count(count, p->steps));
    }
    text_append(t->out, "profile of %s%s images in %.3f s", steps,
                text_from_count(count, p->images), t->seconds);
    text_append(t->out, " (%s images/s), %d thread%s, %s kernels\n",
                text_from_count(rate, (uint64_t)((double)p->images / t->seconds)), p->threads,
                p->threads == 1 ? "" : "s", p->level->name);
    text_append(t->out, "multiply-add peak measured: %.1f GFLOP/s on one thread",
                2e-9 * p->peak_one);
    if (p->threads > 1) {
        text_append(t->out, ", %.1f on %d", 2e-9 * p->peak_all, p->threads);
    }
    text_append(t->out, "\n\n");
    if (t->plan->training) {
        text_append(t->out, "%*s%-*s%s\n", t->name_width + TYPE + 4, "", WORK, "forward",
                    "backward");
    }
    text_append(t->out, "%-*s %-*s", t->name_width, "layer", TYPE - 1, "type");
    for (int i = 0; i <= t->plan->training; i++) {
        text_append(t->out, " %9s %9s %7s", "ms", "GFLOP/s ", "of peak");
    }
    text_append(t->out, " %9s %7s\n", "all, ms", "share");
}

/* A layer's name and type; one that does the activation before it, or behind it, says so. */
static void append_name(const struct table *t, const struct node *node)
{
    const struct node *absorbed = t->plan->places[node->index].absorbed,
                      *does = t->plan->places[node->index].does;
    const int indent = indent_of(node), room = t->name_width - indent;
    char type[64];
    snprintf(type, sizeof type, "%s%s%s%s%s", absorbed ? absorbed->type->member.name : "",
             absorbed ? " + " : "", node->type->member.name, does ? " + " : "",
             does ? does->type->member.name : "");
    text_append(t->out, "%*s%-*.*s %-*.*s", indent, "", room, room, node->name, TYPE - 1, TYPE - 1,
                type);
}

static void add_work(struct work *sum, const struct work *work)
{
    sum->seconds += work->seconds;
    sum->adds += work->adds;
    sum->shortcut |= work->shortcut;
}

/* The rows of the layers and their sum. Returns whether one has a shortcut. */
static int append_layers(const struct table *t)
{
    struct work forward = {0}, backward = {0};
    for (int i = 0; i < t->graph->count; i++) {
        const struct node *node = &t->graph->nodes[i];
        const struct work there = forward_of(t, node), back = backward_of(t, node);
        if (there.seconds + back.seconds == 0) {
            continue; /* passes its input through, or is part of another */
        }
        append_name(t, node);
        append_works(t, &there, &back);
        add_work(&forward, &there);
        add_work(&backward, &back);
    }
    append_rule(t);
    text_append(t->out, "%-*s", t->name_width + TYPE, "all layers");
    append_works(t, &forward, &backward);
    return forward.shortcut | backward.shortcut;
}

void profile_append(const struct profile *p, const struct graph *graph, const struct plan *plan,
                    struct text *out)
{
    static const char *const PHASES[PROFILE_PHASES] = {
        [PROFILE_INPUT] = "loading tiles",
        [PROFILE_PREPARE] = "preparing weights",
        [PROFILE_LOSS] = "loss",
        [PROFILE_REDUCE] = "adding gradients",
        [PROFILE_OPTIMIZER] = "optimizer",
        [PROFILE_RESULTS] = "results",
        [PROFILE_VALIDATION] = "validation",
        [PROFILE_FILES] = "log and files",
        [PROFILE_OTHER] = "other",
        [PROFILE_WAIT] = "waiting",
    };
    struct table t = {
        .profile = p, .graph = graph, .plan = plan, .name_width = name_width(graph), .out = out};
    t.width = t.name_width + TYPE + (1 + plan->training) * WORK + TIME;
    t.seconds = fmax(profile_seconds(p), 1e-9);
    append_head(&t);
    append_rule(&t);
    const int shortcut = append_layers(&t);
    for (int phase = 0; phase < PROFILE_PHASES; phase++) {
        const double seconds = profile_row(p, 2 * p->nodes + phase);
        if (seconds > 0) {
            append_phase(&t, PHASES[phase], seconds);
        }
    }
    append_rule(&t);
    append_phase(&t, "total", t.seconds);
    text_append(out, "\nTimes are sums over the threads, divided by their number.\n");
    if (shortcut) {
        text_append(out, "* by Winograd's way, with fewer multiplications than the direct sum, "
                         "which is what GFLOP/s counts\n");
    }
}
