/* The scenes that the reference programs in C show, the same as scanout's own. A program includes this, fills in `gl`
 * by its toolkit's loader and calls draw().
 *
 *   flash   the window is black; each press of the space key turns it white or black again
 *   flip    every frame turns it
 *   drag    a white mark, 16 pixels wide and as high as the window, follows the pointer
 *
 * and the loop that draws them:
 *
 *   wait    asleep until there is input, then one frame at once, swap interval 0 (of flash and drag the default)
 *   swap    one frame after another, swap interval 1: what most programs do (of flip the only one)
 *
 * Esc ends the program.
 */
#ifndef SCENE_H
#define SCENE_H

#include <stdio.h>
#include <string.h>

#define WIDTH 1280
#define HEIGHT 720
#define MARK 16

/* Of the GL headers, which differ from toolkit to toolkit, this is all that is needed. */
#define SCENE_COLOR_BUFFER_BIT 0x4000
#define SCENE_SCISSOR_TEST 0x0c11

enum scene { FLASH, FLIP, DRAG };

static struct {
    void (*clear_color)(float, float, float, float);
    void (*clear)(unsigned);
    void (*enable)(unsigned);
    void (*disable)(unsigned);
    void (*scissor)(int, int, int, int);
} gl;

static struct {
    enum scene scene;
    int swap;       /* the loop that never waits for input */
    int white;
    int x;          /* of the pointer; below 0 until it was in the window */
    int height;     /* of the drawing area */
} state = {FLASH, 0, 0, -1, HEIGHT};

/* Takes all functions from `get`. 0 when one is missing. */
#define LOAD_GL(get)                                                                                                   \
    ((*(void **)&gl.clear_color = (void *)get("glClearColor")) && (*(void **)&gl.clear = (void *)get("glClear")) &&    \
     (*(void **)&gl.enable = (void *)get("glEnable")) && (*(void **)&gl.disable = (void *)get("glDisable")) &&         \
     (*(void **)&gl.scissor = (void *)get("glScissor")))

/* NAME [flash|flip|drag] [wait|swap]. 0 when it is something else, which has been said. */
static int parse(int argc, char **argv)
{
    const char *scene = argc > 1 ? argv[1] : "flash", *loop = argc > 2 ? argv[2] : NULL;
    int known = argc <= 3;
    if (strcmp(scene, "flip") == 0)
        state.scene = FLIP;
    else if (strcmp(scene, "drag") == 0)
        state.scene = DRAG;
    else
        known &= strcmp(scene, "flash") == 0;
    state.swap = state.scene == FLIP || (loop && strcmp(loop, "swap") == 0);
    known &= !loop || state.swap || strcmp(loop, "wait") == 0;
    if (!known || (state.scene == FLIP && loop && strcmp(loop, "wait") == 0)) {
        fprintf(stderr, "%s: the arguments are [flash|drag [wait|swap]] or flip\n", argv[0]);
        return 0;
    }
    return 1;
}

/* One frame; the caller swaps. */
static void draw(void)
{
    if (state.scene == FLIP)
        state.white = !state.white;
    float v = state.white ? 1.0f : 0.0f;
    gl.clear_color(v, v, v, 1.0f);
    gl.clear(SCENE_COLOR_BUFFER_BIT);
    if (state.scene == DRAG && state.x >= 0) {
        gl.enable(SCENE_SCISSOR_TEST);
        gl.scissor(state.x - MARK / 2, 0, MARK, state.height);
        gl.clear_color(1.0f, 1.0f, 1.0f, 1.0f);
        gl.clear(SCENE_COLOR_BUFFER_BIT);
        gl.disable(SCENE_SCISSOR_TEST);
    }
}

#endif
