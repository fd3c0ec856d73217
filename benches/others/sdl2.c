/* The scenes in SDL2, on one thread: see scene.h for the arguments.
 *
 * cc -O2 sdl2.c -o sdl2 $(sdl2-config --cflags --libs)
 */
#include <SDL.h>

#include "scene.h"

/* Whether there is something new to be drawn; -1 at the end. */
static int take(const SDL_Event *event)
{
    switch (event->type) {
    case SDL_QUIT:
        return -1;
    case SDL_WINDOWEVENT:
        if (event->window.event == SDL_WINDOWEVENT_SIZE_CHANGED)
            state.height = event->window.data2;
        return event->window.event == SDL_WINDOWEVENT_EXPOSED;
    case SDL_KEYDOWN:
        if (event->key.keysym.sym == SDLK_ESCAPE)
            return -1;
        if (event->key.repeat || event->key.keysym.sym != SDLK_SPACE || state.scene != FLASH)
            return 0;
        state.white = !state.white;
        return 1;
    case SDL_MOUSEMOTION:
        state.x = event->motion.x;
        return state.scene == DRAG;
    }
    return 0;
}

int main(int argc, char **argv)
{
    if (!parse(argc, argv))
        return 2;
    if (SDL_Init(SDL_INIT_VIDEO) != 0) {
        fprintf(stderr, "SDL_Init: %s\n", SDL_GetError());
        return 1;
    }
    SDL_Window *window = SDL_CreateWindow("others-sdl2", 0, 0, WIDTH, HEIGHT, SDL_WINDOW_OPENGL);
    SDL_GLContext context = window ? SDL_GL_CreateContext(window) : NULL;
    if (!context || !LOAD_GL(SDL_GL_GetProcAddress)) {
        fprintf(stderr, "window and context: %s\n", SDL_GetError());
        return 1;
    }
    /* Servers that know no interval draw as fast as they can. */
    SDL_GL_SetSwapInterval(state.swap);
    int change = 1;
    while (change >= 0) {
        if (state.swap || change > 0) {
            draw();
            SDL_GL_SwapWindow(window);
        }
        SDL_Event event;
        change = 0;
        if (!state.swap && SDL_WaitEvent(&event))
            change = take(&event);
        /* All that is there makes one frame, not one each. */
        while (change >= 0 && SDL_PollEvent(&event)) {
            int more = take(&event);
            change = more < 0 ? more : change | more;
        }
    }
    SDL_GL_DeleteContext(context);
    SDL_DestroyWindow(window);
    SDL_Quit();
    return 0;
}
