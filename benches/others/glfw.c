/* The scenes in GLFW, on one thread: see scene.h for the arguments.
 *
 * cc -O2 glfw.c -o glfw $(pkg-config --cflags --libs glfw3)
 */
#define GLFW_INCLUDE_NONE
#include <GLFW/glfw3.h>

#include "scene.h"

static int changed = 1;

static void on_error(int code, const char *text) { fprintf(stderr, "glfw %d: %s\n", code, text); }

static void on_key(GLFWwindow *window, int key, int scancode, int action, int mods)
{
    (void)scancode;
    (void)mods;
    if (action != GLFW_PRESS)
        return;
    if (key == GLFW_KEY_ESCAPE)
        glfwSetWindowShouldClose(window, GLFW_TRUE);
    if (key == GLFW_KEY_SPACE && state.scene == FLASH) {
        state.white = !state.white;
        changed = 1;
    }
}

static void on_pointer(GLFWwindow *window, double x, double y)
{
    (void)window;
    (void)y;
    state.x = (int)x;
    changed |= state.scene == DRAG;
}

static void on_size(GLFWwindow *window, int width, int height)
{
    (void)window;
    (void)width;
    state.height = height;
}

static void on_refresh(GLFWwindow *window)
{
    (void)window;
    changed = 1;
}

int main(int argc, char **argv)
{
    if (!parse(argc, argv))
        return 2;
    glfwSetErrorCallback(on_error);
    if (!glfwInit())
        return 1;
    GLFWwindow *window = glfwCreateWindow(WIDTH, HEIGHT, "others-glfw", NULL, NULL);
    if (!window)
        return 1;
    glfwMakeContextCurrent(window);
    if (!LOAD_GL(glfwGetProcAddress)) {
        fprintf(stderr, "glfw: an OpenGL function is missing\n");
        return 1;
    }
    glfwSetKeyCallback(window, on_key);
    glfwSetCursorPosCallback(window, on_pointer);
    glfwSetFramebufferSizeCallback(window, on_size);
    glfwSetWindowRefreshCallback(window, on_refresh);
    glfwSwapInterval(state.swap);
    while (!glfwWindowShouldClose(window)) {
        if (state.swap || changed) {
            changed = 0;
            draw();
            glfwSwapBuffers(window);
        }
        if (state.swap)
            glfwPollEvents();
        else if (!changed)
            glfwWaitEvents();
    }
    glfwTerminate();
    return 0;
}
