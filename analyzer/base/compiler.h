/*
 * compiler: attributes. Functions that run for every frame are compiled as one piece, across files:
 * calling them, saving registers and passing what the caller knows already costs a sixth of
 * reading. What they need seldom stays apart.
 */
#pragma once

#define FLATTEN __attribute__((flatten)) /* takes in all that it calls, but for what is: */
#define NOINLINE __attribute__((noinline))
