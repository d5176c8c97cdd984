/* Writes to standard output. */
#include <stdio.h>

#define ON_CREATE                                                                                                      \
    puts("here I am");                                                                                                 \
    fflush(stdout);
#include "base.h"
