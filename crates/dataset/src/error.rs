//! Errors in a user's files, each with a remedy.

use std::path::{Path, PathBuf};

/// Error in a file. [`Error::remedy`] states the way out.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Error {
    /// A file that cannot be read, or is not of the format that its name says.
    #[error("{} cannot be read: {reason}", .file.display())]
    Unreadable {
        /// The file or folder.
        file: PathBuf,
        /// Reason.
        reason: String,
        /// Remedy.
        remedy: &'static str,
    },
    /// A tensor that a network needs and a file of weights has not.
    #[error("{} has no tensor {tensor}, which layer {layer} of {network} needs", .file.display())]
    MissingTensor {
        /// The file of weights.
        file: PathBuf,
        /// Name of the tensor.
        tensor: String,
        /// The layer it belongs to.
        layer: String,
        /// The network.
        network: String,
    },
    /// Weights of more or fewer layers than the network has.
    #[error(
        "{} has {found} tensors called {pattern}, and {network} has {needed} {kind}", .file.display()
    )]
    TensorCount {
        /// The file of weights.
        file: PathBuf,
        /// Pattern of the names of these layers' tensors.
        pattern: String,
        /// Tensors of that name.
        found: usize,
        /// Kind of layer.
        kind: &'static str,
        /// Layers of that kind.
        needed: usize,
        /// The network.
        network: String,
    },
    /// Tensors that normalise activations, which crossbars do not.
    #[error("{} normalises activations, and {network} has no layer for that: {tensors}", .file.display())]
    Normalisation {
        /// The file of weights.
        file: PathBuf,
        /// Names of the tensors, as far as they are listed.
        tensors: String,
        /// The network.
        network: String,
    },
    /// Weights of several networks.
    #[error("{} has weights for all layers of {network} under several prefixes: {prefixes}", .file.display())]
    SeveralPrefixes {
        /// The file of weights.
        file: PathBuf,
        /// Prefixes of the tensors' names.
        prefixes: String,
        /// The network.
        network: String,
    },
    /// A tensor that is in a file of weights but is not as a network needs it.
    #[error("tensor {tensor} of {} {problem}", .file.display())]
    WrongTensor {
        /// The file of weights.
        file: PathBuf,
        /// Name of the tensor.
        tensor: String,
        /// Problem, as the predicate of a sentence.
        problem: String,
        /// Remedy.
        remedy: &'static str,
    },
    /// An array whose axes are not those of pictures.
    #[error("{} has an array of shape {shape:?}: {reason}", .file.display())]
    Axes {
        /// The npy file.
        file: PathBuf,
        /// Shape of its array.
        shape: Vec<usize>,
        /// Probable cause.
        reason: String,
        /// Remedy.
        remedy: String,
    },
    /// A picture that does not fit the network.
    #[error("picture {picture} {problem}")]
    WrongPicture {
        /// The picture's file, or its place in one.
        picture: String,
        /// Problem, as the predicate of a sentence.
        problem: String,
        /// Remedy.
        remedy: String,
    },
    /// A line of a file of labels.
    #[error("{}, line {line}: {problem}", .file.display())]
    WrongLabel {
        /// The file of labels.
        file: PathBuf,
        /// Line, from 1.
        line: u64,
        /// Problem.
        problem: String,
    },
    /// A picture without a label.
    #[error("{} has no label for picture {picture}", .file.display())]
    MissingLabel {
        /// The file of labels.
        file: PathBuf,
        /// Name of the picture.
        picture: String,
    },
}

impl Error {
    /// Remedy: the way out for the user.
    pub fn remedy(&self) -> String {
        match self {
            Self::Unreadable { remedy, .. } | Self::WrongTensor { remedy, .. } => (*remedy).to_owned(),
            Self::MissingTensor { .. } | Self::TensorCount { .. } => "call the tensors as torchvision does \
                (features.N.weight and .bias for convolutions, classifier.N for fully connected layers, in order), or \
                by the names of the network's layers; all may have one prefix"
                .to_owned(),
            Self::Normalisation { .. } => "fold batch normalisation into the weights and biases of the convolutions \
                before it (torch.nn.utils.fusion.fuse_conv_bn_eval), or train without normalisation"
                .to_owned(),
            Self::SeveralPrefixes { .. } => "leave the tensors of one of them in the file".to_owned(),
            Self::Axes { remedy, .. } | Self::WrongPicture { remedy, .. } => remedy.clone(),
            Self::WrongLabel { .. } => {
                "give a header image,label and a line with a file name and the number of a class for each picture"
                    .to_owned()
            }
            Self::MissingLabel { .. } => "add a line with the picture's file name and the number of its class".into(),
        }
    }

    pub(crate) fn unreadable(file: &Path, reason: impl ToString, remedy: &'static str) -> Error {
        Error::Unreadable { file: file.to_owned(), reason: reason.to_string(), remedy }
    }
}
