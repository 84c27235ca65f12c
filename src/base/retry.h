/* retry.h: a system call that a signal interrupted is made again. */
#ifndef CNNTRAIN_BASE_RETRY_H
#define CNNTRAIN_BASE_RETRY_H

#include <errno.h>

#define RETRY(call)                                                                                \
    __extension__({                                                                                \
        __typeof__(call) result_;                                                                  \
        do {                                                                                       \
            result_ = (call);                                                                      \
        } while (result_ == -1 && errno == EINTR);                                                 \
        result_;                                                                                   \
    })

/* The same for what returns a pointer: NULL is its failure. */
#define RETRY_POINTER(call)                                                                        \
    __extension__({                                                                                \
        __typeof__(call) result_;                                                                  \
        do {                                                                                       \
            result_ = (call);                                                                      \
        } while (result_ == NULL && errno == EINTR);                                               \
        result_;                                                                                   \
    })

#endif
