//! What hangs on nodes beside meshes: skins, morph weights and lights. Makes the nodes refer to ours.

use super::error::ModelError;
use super::light::{self, Light};
use super::limits::Budget;
use super::mesh::{Mesh, checked_weights};
use super::node::{Node, Tree};
use super::skin::{self, Skin};
use super::source::{Source, get};

/// Reads the skins that bend meshes, and sees that the meshes mention no joint that is not there.
pub(super) fn skins(
    source: &Source<'_>,
    tree: &mut Tree,
    meshes: &[Mesh],
    budget: &mut Budget,
) -> Result<Vec<Skin>, ModelError> {
    let mut loaded: Vec<Option<usize>> = vec![None; source.document.skins.len()];
    let mut skins: Vec<Skin> = Vec::new();
    let mut next = 0;
    for (node, &theirs) in tree.nodes.iter_mut().zip(&tree.theirs) {
        let Some(wanted) = node.skin.take() else { continue };
        let here = || format!("nodes[{theirs}].skin");
        get(&source.document.skins, wanted as u64, "skins", &here)?;
        // Without a mesh that can be bent a skin has no effect.
        let Some(mesh) = node.mesh.map(|m| &meshes[m]).filter(|m| m.is_skinned()) else { continue };
        let ours = match loaded[wanted] {
            Some(ours) => ours,
            None => {
                let skin = skin::load(source, wanted as u64, &tree.ours, next, budget, &here)?;
                next += skin.joints.len();
                skins.push(skin);
                skins.len() - 1
            }
        };
        loaded[wanted] = Some(ours);
        let joints = skins[ours].joints.len();
        let most = mesh.primitives.iter().filter_map(|p| Some(p.joint_bounds.last()?.0)).max();
        if let Some(most) = most.filter(|&most| usize::from(most) >= joints) {
            return Err(ModelError::invalid(
                here(),
                format!("its mesh follows joint {most}, there are {joints}"),
            ));
        }
        budget.bent.take(mesh.followed() as u64)?;
        node.skin = Some(ours);
    }
    Ok(skins)
}

/// Lays out the morph weights of all nodes one after another.
pub(super) fn weights(
    source: &Source<'_>,
    tree: &mut Tree,
    meshes: &[Mesh],
    budget: &mut Budget,
) -> Result<Vec<f32>, ModelError> {
    let mut all = Vec::new();
    for (node, &theirs) in tree.nodes.iter_mut().zip(&tree.theirs) {
        let Some(mesh) = node.mesh.map(|m| &meshes[m]) else { continue };
        budget.weights.take(mesh.weights.len() as u64)?;
        let first = all.len();
        match &source.document.nodes[theirs].weights {
            None => all.extend_from_slice(&mesh.weights),
            Some(weights) => {
                let place = || format!("nodes[{theirs}].weights");
                all.extend(checked_weights(weights, mesh.weights.len(), &place)?);
            }
        }
        node.morph = first..all.len();
    }
    Ok(all)
}

/// Reads the lights, and sees that each node's is there.
pub(super) fn lights(source: &Source<'_>, nodes: &mut [Node]) -> Result<Vec<Light>, ModelError> {
    let lights = light::load(&source.document)?;
    for node in nodes.iter().filter_map(|n| n.light) {
        get(&lights, node as u64, "lights", &|| "a node's light".to_owned())?;
    }
    Ok(lights)
}
