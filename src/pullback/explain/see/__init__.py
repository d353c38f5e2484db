"""What a network sees: which pixels a unit, a channel or a class depends on. One tool a file.

network      any model as a View: images, layers by path
selection    which units of a layer
order        channels last, whatever the model uses
projecting   the way back from a layer, by `backprop` under a method's rules
deconvnet, guided_backprop, saliency, smoothgrad, integrated_gradients, grad_cam, occlusion,
activation_maximization, top_activations, portraits      the tools
projections, strips      what they answer, as arrays, pictures and pages
photographs, weights     image files and weight files, for `pullback see`
"""
