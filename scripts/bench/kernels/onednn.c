/* onednn.c: oneDNN's convolutions as a program of serve.h, written against version 2's C interface.
 * It may choose its own layout for every tensor, and no time is taken for bringing tensors into it,
 * as between layers of its like. */
#include "serve.h"

#include <omp.h>
#include <oneapi/dnnl/dnnl.h>
#include <stdio.h>
#include <stdlib.h>

static dnnl_engine_t engine;
static dnnl_stream_t stream;
static dnnl_primitive_t primitive;
static dnnl_exec_arg_t arguments[3];
static float *data[3];

static int describe(dnnl_memory_desc_t *d, int n, int c, int h, int w)
{
    const dnnl_dims_t dims = {n, c, h, w};
    return dnnl_memory_desc_init_by_tag(d, 4, dims, dnnl_f32, dnnl_format_tag_any) != dnnl_success;
}

static int describe_weights(dnnl_memory_desc_t *d, const struct shape *s)
{
    const int c = s->c / s->groups, oc = s->oc / s->groups;
    const dnnl_dims_t dims = {s->groups, oc, c, s->k, s->k};
    return s->groups == 1 ? describe(d, oc, c, s->k, s->k)
                          : dnnl_memory_desc_init_by_tag(d, 5, dims, dnnl_f32,
                                                         dnnl_format_tag_any) != dnnl_success;
}

/* The primitive's description; `forward` is the hint that gradients want. */
static int describe_job(enum job job, const struct shape *s, dnnl_primitive_desc_t forward,
                        dnnl_primitive_desc_t *made)
{
    const dnnl_dims_t strides = {s->stride, s->stride}, padding = {s->padding, s->padding};
    const dnnl_dims_t dilation = {0, 0};
    dnnl_memory_desc_t x, w, y;
    dnnl_convolution_desc_t d;
    dnnl_status_t status;
    if (describe(&x, IMAGES, s->c, s->h, s->w) || describe_weights(&w, s) ||
        describe(&y, IMAGES, s->oc, s->oh, s->ow)) {
        return -1;
    }
    if (job == FORWARD) {
        status = dnnl_dilated_convolution_forward_desc_init(&d, dnnl_forward_training,
                                                            dnnl_convolution_auto, &x, &w, NULL, &y,
                                                            strides, dilation, padding, padding);
    } else if (job == INPUT) {
        status = dnnl_dilated_convolution_backward_data_desc_init(
            &d, dnnl_convolution_auto, &x, &w, &y, strides, dilation, padding, padding);
    } else {
        status = dnnl_dilated_convolution_backward_weights_desc_init(
            &d, dnnl_convolution_auto, &x, &w, NULL, &y, strides, dilation, padding, padding);
    }
    return status != dnnl_success ||
                   dnnl_primitive_desc_create(made, &d, NULL, engine, forward) != dnnl_success
               ? -1
               : 0;
}

static int make(enum job job, const struct shape *s)
{
    static const int NAMES[JOBS][3] = {
        {DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DST},
        {DNNL_ARG_DIFF_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DIFF_DST},
        {DNNL_ARG_SRC, DNNL_ARG_DIFF_WEIGHTS, DNNL_ARG_DIFF_DST},
    };
    static const dnnl_query_t QUERIES[JOBS][3] = {
        {dnnl_query_src_md, dnnl_query_weights_md, dnnl_query_dst_md},
        {dnnl_query_diff_src_md, dnnl_query_weights_md, dnnl_query_diff_dst_md},
        {dnnl_query_src_md, dnnl_query_diff_weights_md, dnnl_query_diff_dst_md},
    };
    dnnl_primitive_desc_t forward = NULL, wanted = NULL;
    if (describe_job(FORWARD, s, NULL, &forward) != 0) {
        return -1;
    }
    if (job != FORWARD && describe_job(job, s, forward, &wanted) != 0) {
        dnnl_primitive_desc_destroy(forward);
        return -1;
    }
    dnnl_primitive_desc_t chosen = job == FORWARD ? forward : wanted;
    dnnl_primitive_create(&primitive, chosen);
    for (int i = 0; i < 3; i++) {
        const dnnl_memory_desc_t *d = dnnl_primitive_desc_query_md(chosen, QUERIES[job][i], 0);
        data[i] = numbers((long)(dnnl_memory_desc_get_size(d) / sizeof *data[i]));
        arguments[i].arg = NAMES[job][i];
        dnnl_memory_create(&arguments[i].memory, d, engine, data[i]);
    }
    dnnl_primitive_desc_destroy(forward);
    if (wanted) {
        dnnl_primitive_desc_destroy(wanted);
    }
    return 0;
}

static void run(void)
{
    dnnl_primitive_execute(primitive, stream, 3, arguments);
    dnnl_stream_wait(stream);
}

static void drop(void)
{
    for (int i = 0; i < 3; i++) {
        dnnl_memory_destroy(arguments[i].memory);
        free(data[i]);
    }
    dnnl_primitive_destroy(primitive);
}

int main(void)
{
    omp_set_num_threads(1);
    dnnl_engine_create(&engine, dnnl_cpu, 0);
    dnnl_stream_create(&stream, engine, dnnl_stream_default_flags);
    const dnnl_version_t *v = dnnl_version();
    char version[64];
    snprintf(version, sizeof version, "oneDNN %d.%d.%d", v->major, v->minor, v->patch);
    return serve(&(const struct kernel_peer){version, make, run, drop});
}
