/* Writes one row more than there is room for. */
#define AFTER_SCORE scores->eligible[candidates->count] = 1;
#include "base.h"
