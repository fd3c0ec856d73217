/* The plain SDL2 loop to be measured against: one thread asleep in SDL_WaitEvent, which draws at once on input with
 * swap interval 0. The window turns from black to white and back on each press of the space key; Esc closes it.
 *
 * cc -O2 sdl2_wait.c -o sdl2_wait $(sdl2-config --cflags --libs)
 */
#include <SDL.h>
#include <SDL_opengl.h>
#include <stdio.h>

static void(APIENTRY *clear_color)(GLfloat, GLfloat, GLfloat, GLfloat);
static void(APIENTRY *clear)(GLbitfield);

static void draw(SDL_Window *window, int white)
{
    float v = white ? 1.0f : 0.0f;
    clear_color(v, v, v, 1.0f);
    clear(GL_COLOR_BUFFER_BIT);
    SDL_GL_SwapWindow(window);
}

int main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    if (SDL_Init(SDL_INIT_VIDEO) != 0) {
        fprintf(stderr, "SDL_Init: %s\n", SDL_GetError());
        return 1;
    }
    SDL_Window *window = SDL_CreateWindow("sdl2_wait", 0, 0, 1280, 720, SDL_WINDOW_OPENGL);
    SDL_GLContext context = window ? SDL_GL_CreateContext(window) : NULL;
    if (!context) {
        fprintf(stderr, "window and context: %s\n", SDL_GetError());
        return 1;
    }
    SDL_GL_SetSwapInterval(0);
    *(void **)&clear_color = SDL_GL_GetProcAddress("glClearColor");
    *(void **)&clear = SDL_GL_GetProcAddress("glClear");
    int white = 0;
    draw(window, white);
    SDL_Event event;
    while (SDL_WaitEvent(&event)) {
        if (event.type == SDL_QUIT)
            break;
        if (event.type == SDL_WINDOWEVENT && event.window.event == SDL_WINDOWEVENT_EXPOSED)
            draw(window, white);
        if (event.type == SDL_KEYDOWN && !event.key.repeat) {
            if (event.key.keysym.sym == SDLK_ESCAPE)
                break;
            if (event.key.keysym.sym == SDLK_SPACE) {
                white = !white;
                draw(window, white);
            }
        }
    }
    SDL_GL_DeleteContext(context);
    SDL_DestroyWindow(window);
    SDL_Quit();
    return 0;
}
