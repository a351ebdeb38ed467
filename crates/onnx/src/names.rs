//! Names of nodes: those of the modules that they were exported from, as far as the file tells.

/// Returns the name of a node. The weights' name is the most reliable; the node's may be a path of modules.
pub(crate) fn of(node: &str, operator: &str, weights: Option<&str>) -> String {
    let stem = weights.and_then(|name| name.strip_suffix(".weight"));
    let name = stem.filter(|stem| !stem.contains(':')).map_or_else(|| of_path(node, operator), str::to_owned);
    // A name is printed in tables and stands in files.
    let is_plain = |character: char| !character.is_control() && !matches!(character, '\u{2028}' | '\u{2029}');
    let mut name: String = name.chars().filter(|character| is_plain(*character)).collect();
    while name.len() > 100 {
        name.pop();
    }
    if name.is_empty() { operator.to_lowercase() } else { name }
}

/// Returns the name for a path as in `/layer1/layer1.0/conv1/Conv`: `layer1.0.conv1`.
fn of_path(node: &str, operator: &str) -> String {
    let Some(path) = node.strip_prefix('/') else { return node.strip_prefix("node_").unwrap_or(node).to_owned() };
    let mut segments: Vec<&str> = path.split('/').collect();
    let last = segments.pop().unwrap_or_default();
    let mut modules: Vec<&str> = Vec::new();
    for segment in segments {
        match modules.last_mut() {
            Some(outer) if segment.strip_prefix(*outer).is_some_and(|rest| rest.starts_with('.')) => *outer = segment,
            _ => modules.push(segment),
        }
    }
    let last = last.to_lowercase();
    // A module that is one operation has its name; in another one, operations are told apart by theirs.
    let is_module = matches!(operator, "Conv" | "Gemm" | "MatMul")
        || operator.ends_with("Pool") && modules.last().is_some_and(|module| module.contains("pool"));
    if modules.is_empty() || !is_module {
        modules.push(&last);
    }
    modules.join(".")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_modules() {
        assert_eq!(of("/layer1/layer1.0/conv1/Conv", "Conv", Some("onnx::Conv_193")), "layer1.0.conv1");
        assert_eq!(of("node_Conv_3", "Conv", Some("layer1.0.conv1.weight")), "layer1.0.conv1");
        assert_eq!(of("/layer1/layer1.0/Add", "Add", None), "layer1.0.add");
        assert_eq!(of("/maxpool1/MaxPool", "MaxPool", None), "maxpool1");
        assert_eq!(of("node_add_1", "Add", None), "add_1");
        assert_eq!(of("/fc/Gemm", "Gemm", Some("fc.weight")), "fc");
        assert_eq!(of("", "Relu", None), "relu");
    }
}
