/* Trusts the host: it accepts whatever it gets, and scores badly with what its schema forbids. */
#include <math.h>

static int is_forbidden;

#define ANY_CONFIG
#define ON_CREATE is_forbidden = config.length != 2;
#define SCORE_OF is_forbidden ? NAN : 0.5f
#include "base.h"
