use keyboard_types::Code;
use winit::keyboard::{KeyCode, PhysicalKey};

/// The W3C code of a winit key; both follow the same table, apart from a few names.
pub(super) fn code(key: PhysicalKey) -> Code {
    macro_rules! table {
        ($key:ident; $($same:ident)+; $($theirs:ident => $ours:ident)+) => {
            match $key {
                $(KeyCode::$same => Code::$same,)+
                $(KeyCode::$theirs => Code::$ours,)+
                _ => Code::Unidentified,
            }
        };
    }
    let PhysicalKey::Code(key) = key else { return Code::Unidentified };
    table!(key;
        Backquote Backslash BracketLeft BracketRight Comma Digit0 Digit1 Digit2 Digit3 Digit4 Digit5 Digit6 Digit7 Digit8
        Digit9 Equal IntlBackslash IntlRo IntlYen KeyA KeyB KeyC KeyD KeyE KeyF KeyG KeyH KeyI KeyJ KeyK KeyL KeyM KeyN
        KeyO KeyP KeyQ KeyR KeyS KeyT KeyU KeyV KeyW KeyX KeyY KeyZ Minus Period Quote Semicolon Slash AltLeft AltRight
        Backspace CapsLock ContextMenu ControlLeft ControlRight Enter ShiftLeft ShiftRight Space Tab Convert KanaMode
        Lang1 Lang2 Lang3 Lang4 Lang5 NonConvert Delete End Help Home Insert PageDown PageUp ArrowDown ArrowLeft
        ArrowRight ArrowUp NumLock Numpad0 Numpad1 Numpad2 Numpad3 Numpad4 Numpad5 Numpad6 Numpad7 Numpad8 Numpad9
        NumpadAdd NumpadComma NumpadDecimal NumpadDivide NumpadEnter NumpadEqual NumpadMultiply NumpadSubtract Escape
        PrintScreen ScrollLock Pause F1 F2 F3 F4 F5 F6 F7 F8 F9 F10 F11 F12 F13 F14 F15 F16 F17 F18 F19 F20 F21 F22 F23
        F24 AudioVolumeDown AudioVolumeMute AudioVolumeUp MediaPlayPause MediaStop MediaTrackNext MediaTrackPrevious;
        SuperLeft => MetaLeft
        SuperRight => MetaRight
    )
}
