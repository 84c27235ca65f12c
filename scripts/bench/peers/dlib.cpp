// dlib.cpp: dlib as a peer of the bench (protocol.py).
//
// usage: dlib NETWORK BATCH IMAGES LABELS
//
// Its convolutions and dense layers are OpenBLAS's matrix products; nothing else in it uses a
// second thread. In its favour, the batches are made before the clock starts. Between its residual
// blocks of different shapes stands its own shortcut: the mean over 2x2, and channels of zeros.
#include <chrono>
#include <cstdint>
#include <dlib/dnn.h>
#include <dlib/revision.h>
#include <fstream>
#include <iostream>
#include <sstream>
#include <sys/resource.h>

using namespace dlib;
extern "C" void openblas_set_num_threads(int);

// clang-format off
// ---- the networks; B is batch normalisation and D dropout in training, and in evaluation what has become of them ----

template <int filters, int size, int stride, int padding, typename S>
using conv2d = add_layer<con_<filters, size, size, stride, stride, padding, padding>, S>;

using grey = input<matrix<float>>;
using colours = input<std::array<matrix<float>, 3>>;

template <template <typename> class B, template <typename> class D>
using lenet5 = loss_multiclass_log<fc<10, htan<fc<84, htan<conv2d<120, 5, 1, 0,
    avg_pool<2, 2, 2, 2, htan<conv2d<16, 5, 1, 0, avg_pool<2, 2, 2, 2, htan<conv2d<6, 5, 1, 0, grey>>>>>>>>>>>>;

template <template <typename> class B, template <typename> class D>
using mlp = loss_multiclass_log<fc<10, relu<fc<128, relu<fc<256, grey>>>>>>;

template <template <typename> class B, template <typename> class D>
using mnist_cnn = loss_multiclass_log<fc<10, D<relu<fc<128, D<max_pool<2, 2, 2, 2,
    relu<conv2d<64, 3, 1, 0, relu<conv2d<32, 3, 1, 0, grey>>>>>>>>>>>;

template <int filters, template <typename> class B, typename S> using unit = relu<B<conv2d<filters, 3, 1, 1, S>>>;
template <int filters, template <typename> class B, typename S>
using stage = max_pool<2, 2, 2, 2, unit<filters, B, unit<filters, B, S>>>;
template <template <typename> class B, template <typename> class D>
using vgg_bn = loss_multiclass_log<fc<10, relu<fc<256, stage<128, B, stage<64, B, stage<32, B, grey>>>>>>>;

template <int filters, int stride, template <typename> class B, typename S>
using body = B<conv2d<filters, 3, 1, 1, relu<B<conv2d<filters, 3, stride, 1, S>>>>>;
template <int filters, template <typename> class B, typename S>
using same = relu<add_prev1<body<filters, 1, B, tag1<S>>>>;
template <int filters, template <typename> class B, typename S>
using down = relu<add_prev2<avg_pool<2, 2, 2, 2, skip1<tag2<body<filters, 2, B, tag1<S>>>>>>>;
template <template <typename> class B, template <typename> class D>
using resnet_cifar = loss_multiclass_log<fc<10, avg_pool_everything<
    same<64, B, same<64, B, down<64, B, same<32, B, same<32, B, down<32, B,
    same<16, B, same<16, B, same<16, B, unit<16, B, colours>>>>>>>>>>>>>;

// clang-format on
// ---- data ----

struct idx {
    std::vector<long> shape;
    std::string bytes;
};

static idx read_idx(const std::string &path)
{
    std::ifstream file(path, std::ios::binary);
    std::stringstream text;
    text << file.rdbuf();
    const std::string raw = text.str();
    idx result;
    const size_t rank = static_cast<unsigned char>(raw.at(3));
    for (size_t d = 0; d < rank; d++) {
        long size = 0;
        for (size_t i = 0; i < 4; i++) {
            size = size * 256 + static_cast<unsigned char>(raw.at(4 + 4 * d + i));
        }
        result.shape.push_back(size);
    }
    result.bytes = raw.substr(4 + 4 * rank);
    return result;
}

static void fill(matrix<float> &plane, const idx &images, size_t at)
{
    const long height = images.shape[images.shape.size() - 2], width = images.shape.back();
    plane.set_size(height, width);
    for (long i = 0; i < height * width; i++) {
        const float byte = static_cast<unsigned char>(images.bytes[at + static_cast<size_t>(i)]);
        plane(i / width, i % width) = (byte / 255 - 0.1307f) / 0.3081f;
    }
}

static void picture(matrix<float> &x, const idx &images, size_t n)
{
    fill(x, images, n * static_cast<size_t>(images.shape[1] * images.shape[2]));
}

static void picture(std::array<matrix<float>, 3> &x, const idx &images, size_t n)
{
    const size_t plane = static_cast<size_t>(images.shape[2] * images.shape[3]);
    for (size_t c = 0; c < 3; c++) {
        fill(x[c], images, (3 * n + c) * plane);
    }
}

// ---- the protocol ----

template <typename step> double rate(step go, double images, double seconds)
{
    const auto now = [] {
        return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch())
            .count();
    };
    size_t done = 0;
    double start = now();
    while (now() < start + 0.15 * seconds || done < 1) {
        go(done++);
    }
    const size_t first = done;
    start = now();
    while (now() < start + seconds || done < first + 1) {
        go(done++);
    }
    return static_cast<double>(done - first) * images / (now() - start);
}

template <typename training, typename evaluation>
int serve(size_t batch, const std::string &images_path, const std::string &labels_path)
{
    const idx images = read_idx(images_path), labels = read_idx(labels_path);
    std::vector<std::vector<typename training::input_type>> x;
    std::vector<std::vector<unsigned long>> y;
    for (size_t n = 0; n + batch <= static_cast<size_t>(images.shape[0]); n += batch) {
        x.emplace_back(batch);
        y.emplace_back(batch);
        for (size_t i = 0; i < batch; i++) {
            picture(x.back()[i], images, n + i);
            y.back()[i] = static_cast<unsigned char>(labels.bytes[n + i]);
        }
    }
    training net;
    disable_duplicative_biases(net); // before batch normalisation, as elsewhere
    dnn_trainer<training, adam> trainer(net, adam());
    trainer.set_learning_rate(0.001);
    trainer.set_iterations_without_progress_threshold(1000000);
    const auto train = [&](size_t n) {
        trainer.train_one_step(x[n % x.size()], y[n % x.size()]);
        trainer.get_net(force_flush_to_disk::no); // waits for the step
    };
    train(0);
    evaluation fixed = trainer.get_net();
    size_t right = 0;
    const auto evaluate = [&](size_t n) {
        const std::vector<unsigned long> found = fixed(x[n % x.size()], batch);
        for (size_t i = 0; i < batch; i++) {
            right += found[i] == y[n % x.size()][i];
        }
    };
    std::cout << "ready " << count_parameters(trainer.get_net()) << std::endl;
    std::string line, word;
    while (std::getline(std::cin, line)) {
        std::istringstream request(line);
        int threads = 1;
        double seconds = 0;
        request >> word >> threads >> seconds;
        openblas_set_num_threads(threads);
        if (word == "quit") {
            break;
        } else if (word == "train") {
            std::cout << rate(train, static_cast<double>(batch), seconds) << std::endl;
        } else if (word == "eval") {
            std::cout << rate(evaluate, static_cast<double>(batch), seconds) << std::endl;
        } else if (word == "version") {
            std::cout << "dlib " << DLIB_MAJOR_VERSION << "." << DLIB_MINOR_VERSION
                      << ", with OpenBLAS" << std::endl;
        } else if (word == "memory") {
            struct rusage usage;
            getrusage(RUSAGE_SELF, &usage);
            std::cout << static_cast<double>(usage.ru_maxrss) / 1024 << std::endl;
        } else {
            std::cout << "error it cannot " << word << std::endl;
        }
    }
    return right == SIZE_MAX;
}

int main(int argc, char **argv)
{
    if (argc != 5) {
        std::cout << "error usage: dlib NETWORK BATCH IMAGES LABELS" << std::endl;
        return 2;
    }
    const std::string network = argv[1];
    const size_t batch = std::stoul(argv[2]);
    if (network == "lenet5") {
        return serve<lenet5<bn_con, dropout>, lenet5<affine, multiply>>(batch, argv[3], argv[4]);
    } else if (network == "mlp") {
        return serve<mlp<bn_con, dropout>, mlp<affine, multiply>>(batch, argv[3], argv[4]);
    } else if (network == "mnist-cnn") {
        return serve<mnist_cnn<bn_con, dropout>, mnist_cnn<affine, multiply>>(batch, argv[3],
                                                                              argv[4]);
    } else if (network == "vgg-bn") {
        return serve<vgg_bn<bn_con, dropout>, vgg_bn<affine, multiply>>(batch, argv[3], argv[4]);
    } else if (network == "resnet-cifar") {
        return serve<resnet_cifar<bn_con, dropout>, resnet_cifar<affine, multiply>>(batch, argv[3],
                                                                                    argv[4]);
    }
    std::cout << "error no network " << network << std::endl;
    return 2;
}
