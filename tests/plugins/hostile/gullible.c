/* Takes any eight bytes for a state, and changes something even where it refuses others. */
#define ON_LOAD matcher->learned = 7;
#include "base.h"
